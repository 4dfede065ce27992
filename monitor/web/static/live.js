// Keeps a page live: reads the event stream, fetches the page anew when something changed, and says when it cannot.

const script = document.querySelector("script[data-events]");
const settings = script.dataset;
const root = document.documentElement;
const bar = document.getElementById("not-live");
const silenceMs = Number(settings.silenceS) * 1000;
const oftenMs = 1000; // at most one fetch a second
const anewMs = 60_000; // durations grow, so a quiet page is fetched anew once a minute
const fetchWithinMs = 10_000;
const retryMostMs = 10_000;

const hiddenMostMs = 60_000; // a browser gives one site six connections: a tab nobody sees lets its own go

let source = null;
let triedAt = 0; // when the stream was last asked for
let hiddenAt = 0; // since when nobody sees this tab
let heardAt = performance.now(); // when the stream last spoke
let newsAt = Date.now(); // the same on the wall clock, for the bar
let revision = settings.revision;
let fetchedAt = performance.now();
let fetching = false;
let wanted = false;
let retryMs = 500;
let retryTimer = 0;

const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone: settings.zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const isolate = (text) => `\u2066${text}\u2069`;
const say = (message, at) => message.replace("%s", isolate(clock.format(at)));

function connect() {
  clearTimeout(retryTimer);
  source?.close();
  triedAt = performance.now();
  source = new EventSource(settings.events);
  for (const name of ["hello", "heartbeat", "changes"]) source.addEventListener(name, hear);
  source.addEventListener("traffic", count);
  source.onerror = reconnect;
}

// EventSource gives up for ever on an HTTP error; this does not.
function reconnect() {
  source?.close();
  source = null;
  clearTimeout(retryTimer);
  retryTimer = setTimeout(connect, retryMs * (0.5 + Math.random() / 2));
  retryMs = Math.min(retryMs * 2, retryMostMs);
}

function hear(event) {
  const news = JSON.parse(event.data);
  heardAt = performance.now();
  newsAt = Date.now();
  retryMs = 500;
  if (root.classList.contains("not-live")) comeBack();
  root.classList.add("is-live");
  if (news.as_of) showAsOf(news.as_of);
  if (news.revision !== revision) want();
}

// The running total moves every few seconds: only the number does, not the page.
function count(event) {
  hear(event);
  const shown = document.querySelector('[data-count="completed"]');
  if (shown) shown.textContent = JSON.parse(event.data).completed.toLocaleString("en-GB");
}

function showAsOf(text) {
  const shown = document.querySelector(".as-of time");
  if (!shown) return want();
  const at = new Date(text);
  if (clock.format(at) === shown.dataset.clock) return;
  shown.dateTime = text;
  shown.dataset.clock = clock.format(at);
  const place = shown.querySelector("bdi") ?? shown;
  place.textContent = place.textContent.replace(/\d\d:\d\d:\d\d/, shown.dataset.clock);
}

function comeBack() {
  root.classList.remove("not-live");
  root.classList.add("live-again");
  bar.textContent = say(settings.liveAgain, Date.now());
  setTimeout(() => {
    root.classList.remove("live-again");
    if (!root.classList.contains("not-live")) bar.textContent = "";
  }, 8000);
  want();
}

function watch() {
  const now = performance.now();
  if (now - heardAt > silenceMs && !root.classList.contains("not-live")) {
    root.classList.remove("is-live", "live-again");
    root.classList.add("not-live");
    bar.textContent = say(settings.notLive, newsAt);
  }
  if (document.hidden && now - hiddenAt > hiddenMostMs) {
    clearTimeout(retryTimer);
    source?.close();
    source = null;
  } else if (source && now - Math.max(heardAt, triedAt) > silenceMs) {
    reconnect(); // it is open, or opening, and says nothing
  }
  if (now - fetchedAt > anewMs && root.classList.contains("is-live")) want();
}

function want() {
  wanted = true;
  if (!fetching) void refresh();
}

async function refresh() {
  fetching = true;
  while (wanted) {
    wanted = false;
    await pause(Math.max(0, oftenMs - (performance.now() - fetchedAt)));
    fetchedAt = performance.now();
    try {
      const answer = await fetch(location.href, { signal: AbortSignal.timeout(fetchWithinMs), credentials: "same-origin" });
      if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      else wanted = false;
    } catch { /* the stream's silence will tell */ }
  }
  fetching = false;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function take(fresh) {
  const told = fresh.querySelector("script[data-events]");
  if (!told) return;
  revision = told.dataset.revision;
  for (const old of document.querySelectorAll("[data-live]")) {
    const made = fresh.getElementById(old.id);
    if (made) morph(old, made);
  }
  const oldAsOf = document.querySelector(".as-of"), newAsOf = fresh.querySelector(".as-of");
  if (newAsOf && !oldAsOf.querySelector("time")) morph(oldAsOf, newAsOf);
  filterTiles();
}

// Make `old` equal to `made` touching only what differs, so that focus, selection and open details stay.
function morph(old, made) {
  if (old.isEqualNode(made)) return;
  if (old.nodeType !== made.nodeType || old.nodeName !== made.nodeName || old.id !== made.id) {
    old.replaceWith(document.importNode(made, true));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== made.nodeValue) old.nodeValue = made.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!made.hasAttribute(name) && name !== "open" && name !== "hidden") old.removeAttribute(name);
  }
  for (const { name, value } of made.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const before = [...old.childNodes], after = [...made.childNodes];
  after.forEach((child, index) => {
    if (index < before.length) morph(before[index], child);
    else old.append(document.importNode(child, true));
  });
  before.slice(after.length).forEach((child) => child.remove());
}

// Instant filter over what the page holds; without JavaScript the form asks the server.
const form = document.querySelector("[data-filter]");

function filterTiles() {
  if (!form) return;
  const text = form.elements.q.value.trim().toLowerCase();
  const state = form.elements.state.value, entity = form.elements.entity.value;
  let shown = 0;
  for (const group of document.querySelectorAll(".group")) {
    let kept = 0;
    for (const tile of group.querySelectorAll(".tile")) {
      const fits = tile.dataset.search.includes(text) && fitsState(tile.dataset.verdict, state)
        && (!entity || group.dataset.entity === entity);
      tile.hidden = !fits;
      kept += fits;
    }
    group.hidden = !kept;
    shown += kept;
  }
  form.querySelector("[data-shown]").textContent = shown.toLocaleString("en-GB");
}

function fitsState(verdict, state) {
  if (!state) return true;
  if (state === "wrong") return verdict !== "up";
  return verdict === (state === "not_available" ? "down" : state);
}

if (form) {
  root.classList.add("scripted");
  const served = new URLSearchParams(location.search);
  const narrowed = ["q", "state", "entity"].some((name) => served.get(name));
  form.addEventListener("submit", (event) => { if (!narrowed) event.preventDefault(); });
  form.addEventListener("input", () => {
    if (!narrowed) return filterTiles();
    const all = new URLSearchParams(new FormData(form)); // the page holds only a part: ask for the rest
    clearTimeout(form.asking);
    form.asking = setTimeout(() => location.replace(`/?${all}`), 400);
  });
  if (!narrowed) filterTiles();
}

addEventListener("online", connect);
document.addEventListener("visibilitychange", () => {
  hiddenAt = performance.now();
  if (!document.hidden && !source) connect();
});
setInterval(watch, 250);
connect();
