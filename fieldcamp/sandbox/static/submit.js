// Sends the answer on to the app at once. Without scripts the page has a button for it.
document.getElementById("answer").submit();
