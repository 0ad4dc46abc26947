// A button that copies a field. Without scripts it is hidden, and the field is selected and copied by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // a page that is not served over HTTPS has no clipboard
    }
    button.textContent = "Copied";
    document.getElementById("copied").textContent = "The secret is copied.";
  });
}
