// Walks a list by keys: / goes to the search, j and k from row to row, Enter opens the row, x ticks it.
(() => {
  const list = document.getElementById("result_list");
  const search = document.getElementById("searchbar");
  const links = () => [...document.querySelectorAll("#result_list tbody tr")].filter((row) => row.querySelector("th a, td a"));
  let here = -1;

  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

  function step(by) {
    const rows = links();
    if (!rows.length) return;
    if (rows[here]) rows[here].removeAttribute("data-fc-here");
    here = Math.min(Math.max(here + by, 0), rows.length - 1);
    rows[here].setAttribute("data-fc-here", "");
    // The focus goes along: Enter opens the link as it always does, and readers say the row.
    rows[here].querySelector("th a, td a").focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.target.closest("dialog")) return;
    if (event.key === "/" && search) {
      search.focus();
      search.select();
    } else if ((event.key === "j" || event.key === "k") && list) {
      step(event.key === "j" ? 1 : -1);
    } else if (event.key === "x" && list && links()[here]) {
      const box = links()[here].querySelector("input.action-select");
      if (!box) return;
      box.click();
    } else {
      return;
    }
    event.preventDefault();
  });
})();
