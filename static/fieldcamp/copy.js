// Buttons that copy a field. Without scripts they are hidden, and the field is selected and copied by hand.
const show = (place) => place.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
show(document);
document.addEventListener("htmx:load", (event) => show(event.target)); // what came in later
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    document.execCommand("copy"); // a page that is not served over HTTPS has no clipboard
  }
  button.textContent = button.dataset.done ?? "Copied";
  document.getElementById("copied").textContent = button.dataset.said ?? "The secret is copied.";
});
