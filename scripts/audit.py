"""Says which pinned packages have known holes: see scripts/audit, which calls this."""

import json
import subprocess
import sys

CLEAN, HOLES, NOT_ASKED = 0, 1, 3
BAR = "!" * 100


def main(requirements: str) -> int:
    """Asks about one compiled requirements file, and returns what the process ends with."""
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "-r", requirements, "--require-hashes", "--disable-pip", "--format", "json",
         "--progress-spinner", "off", "--timeout", "15"],
        capture_output=True, text=True,
    )  # fmt: skip
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        packages = []
    holes = [(package, hole) for package in packages for hole in package.get("vulns", ())]
    for package, hole in holes:
        names = ", ".join([hole["id"], *hole.get("aliases", [])])
        mended = ", ".join(hole.get("fix_versions", [])) or "no version yet"
        print(f"{package['name']} {package['version']}: {names}; mended in {mended}", file=sys.stderr)
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if not packages or unknown:
        reason = (done.stderr.strip().splitlines() or ["pip-audit said nothing."])[-1]
        which = f"nothing is known of {len(unknown)} of {len(packages)} packages, such as {', '.join(unknown[:5])}."
        print(
            BAR,
            f"!! NOT AUDITED: nobody could be asked about known holes in {requirements}.",
            f"!! {which if unknown else reason}",
            "!! Run scripts/audit where pypi.org is reached.",
            BAR,
            sep="\n",
            file=sys.stderr,
        )
        return HOLES if holes else NOT_ASKED
    print(f"{len(packages)} packages of {requirements}: {len(holes)} known holes.")
    return HOLES if holes else CLEAN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
