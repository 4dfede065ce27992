// Narrows the list of services as its name is typed; without this script the server does it, or nobody has to.
"use strict";
(() => {
  const field = document.querySelector('input[name="q"]');
  const found = document.getElementById("found"), none = document.getElementById("none");
  const items = [...document.querySelectorAll("#services li[data-k]")];
  const letters = document.querySelectorAll("#services .letter, #letters");
  const key = (text) =>
    text.normalize("NFKD").replace(/\p{Mn}|\u0640/gu, "").replace(/ى/g, "ي").replace(/ة/g, "ه")
      .toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  const narrow = () => {
    const words = key(field.value).split(" ").filter(Boolean)
      .map((word) => (word.length > 4 ? word.replace(/^ال/, "") : word));
    let hits = 0;
    for (const item of items) {
      item.hidden = !words.every((word) => item.dataset.k.includes(word));
      hits += !item.hidden;
    }
    for (const letter of letters) letter.hidden = words.length > 0;
    found.hidden = !words.length;
    none.hidden = hits > 0;
    document.getElementById("words").textContent = field.value;
  };
  field.value ||= new URLSearchParams(location.search).get("q") ?? "";
  field.addEventListener("input", narrow);
  if (field.value) narrow();
})();
