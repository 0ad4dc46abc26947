"""Static files as they are served: under names that tell their contents, and compressed once, when collected."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Addresses of collected files end in a hash, so that browsers keep them for ever. What was not collected (tests,
    `DEBUG`, a process that started before `collectstatic` ran) keeps its plain name, which is served, too."""

    manifest_strict = False

    def stored_name(self, name: str) -> str:
        known = self.hashed_files.get(self.hash_key(self.clean_name(name)))
        return known or self.clean_name(name)
