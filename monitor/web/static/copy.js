// Puts a text of the page on the clipboard; the button is there only where that works.

const saidMs = 4000;

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const text = document.getElementById(button.dataset.copy);
  const status = document.getElementById(button.dataset.says);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      status.textContent = button.dataset.copied;
    } catch {
      status.textContent = button.dataset.refused; // the browser or its policy forbids it
    }
    setTimeout(() => { status.textContent = ""; }, saidMs);
  });
}
