// Says when the page has become old: by the server's clock where it tells it, else by this machine's.
"use strict";
(() => {
  const page = document.documentElement, oldMs = 5 * 60_000, lookMs = 10_000;
  const asOf = Number(page.dataset.asOf);
  let aheadMs = 0;
  const look = () => {
    if (!asOf || Date.now() + aheadMs - asOf > oldMs) page.dataset.age = "old";
  };
  const began = Date.now();
  fetch(location.href, { method: "HEAD", cache: "no-store" })
    .then((answer) => {
      const said = Date.parse(answer.headers.get("Date") ?? "");
      if (said) aheadMs = said - (began + Date.now()) / 2;
    })
    .catch(() => {})
    .finally(look);
  setInterval(look, lookMs);
})();
