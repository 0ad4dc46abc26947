// Light or dark before the first paint, and without the theme's scripts: as was chosen in the menu, else as the system says.
(() => {
  const root = document.documentElement;
  let chosen = null;
  try { chosen = JSON.parse(localStorage.getItem("_x_adminTheme")); } catch { /* no storage, or not ours: as the system says */ }
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.classList.toggle("dark", dark);
  // What the theme shows on demand is not to be seen before the theme hides it.
  root.classList.add("fc-early");
  document.addEventListener("alpine:initialized", () => root.classList.remove("fc-early"));
  // From here on the theme sets the class, and takes away only what it has set.
  document.addEventListener("alpine:init", () => root.classList.remove("dark"));
})();
