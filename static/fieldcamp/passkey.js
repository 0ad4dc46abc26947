// A button that has the browser make or use a passkey, and sends what it answers. Without scripts, or where the browser
// knows no passkeys, it stays hidden. The options are in #passkey-options, allauth's webauthn-json turns them into bytes.
const button = document.querySelector("[data-passkey]");
const options = document.getElementById("passkey-options");
if (button && options && window.PublicKeyCredential && window.webauthnJSON) {
  const failed = document.getElementById("passkey-failed");
  button.hidden = false;
  button.addEventListener("click", async () => {
    failed.hidden = true;
    try {
      const answer = await window.webauthnJSON[button.dataset.passkey](JSON.parse(options.textContent));
      button.form.elements[button.dataset.field].value = JSON.stringify(answer);
      button.form.submit();
    } catch {
      failed.hidden = false; // turned down, too late, or no passkey of this login here
    }
  });
}
