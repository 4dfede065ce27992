// A report for a wall, by keyboard alone: one item at a time, how a figure was counted, and a question filed.

const root = document.documentElement;
const settings = document.querySelector("script[data-place]").dataset;
const sections = [...document.querySelectorAll("main > section")];
const slides = sections.filter((one) => one.hasAttribute("data-slide"));
const said = document.getElementById("said");
const place = document.getElementById("place");
const rtl = root.dir === "rtl";
const typedWithinMs = 2500;

let current = slides[0]; // the section that is shown
let slide = slides[0]; // the item to come back to
let typed = "";
let typedTimer = 0;

const fits = (one) => sections.find((section) => section.id === one);

function show(section) {
  current?.classList.remove("current");
  current = section;
  if (slides.includes(section)) slide = section;
  section.classList.add("current");
  const at = slides.indexOf(section);
  place.textContent = at < 0 ? "" : settings.place.replace("%1", at + 1).replace("%2", slides.length);
  scrollTo(0, 0);
  const first = section.id === "ask" && document.getElementById("question");
  (first || section).focus({ preventScroll: true });
}

function go(section) {
  if (!section || section === current) return;
  show(section); // at once: the next key may be pressed before a `hashchange` would come, which also moves focus
  history.pushState(null, "", `#${section.id}`);
}

const step = (by) => go(slides[Math.min(slides.length - 1, Math.max(0, slides.indexOf(slide) + by))]);
const back = () => go(slide);

// F and two digits; what is typed is shown until it is whole, and forgotten after a while.
function type(character) {
  typed = character === "f" ? "F" : typed + character;
  say(typed);
  clearTimeout(typedTimer);
  if (typed.length < 3) {
    typedTimer = setTimeout(() => { typed = ""; say(""); }, typedWithinMs);
    return;
  }
  const code = typed, found = fits(code);
  typed = "";
  say(found ? "" : settings.none.replace("%s", code));
  go(found);
}

function say(text) {
  said.textContent = text;
}

function ask() {
  const choice = document.getElementById("code");
  if (choice) choice.value = current.dataset.code ?? "";
  go(fits("ask"));
}

// The letter on the key under any layout: an Arabic one has others where F and I are.
function keyOf(event) {
  if (/^[a-z0-9]$/i.test(event.key)) return event.key.toLowerCase();
  return /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code)?.[1].toLowerCase() ?? "";
}

const far = () => scrollY + innerHeight >= root.scrollHeight - 1;
const steps = {
  " ": (event) => step(event.shiftKey ? -1 : 1),
  PageDown: () => step(1),
  PageUp: () => step(-1),
  ArrowRight: () => step(rtl ? -1 : 1),
  ArrowLeft: () => step(rtl ? 1 : -1),
  ArrowDown: () => (far() ? step(1) : false), // a long item is read to its end first
  ArrowUp: () => (scrollY <= 0 ? step(-1) : false),
  Home: () => go(slides[0]),
  End: () => go(slides.at(-1)),
  Escape: back,
  "?": () => go(fits("keys")),
  "؟": () => go(fits("keys")),
  Enter: () => go(fits(current.dataset.code)),
};

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const filling = event.target.closest("input, select, textarea");
  if (filling ? event.key !== "Escape" : event.target.closest("a, button") && /^( |Enter)$/.test(event.key)) return;
  const own = steps[event.key];
  const letter = keyOf(event);
  if (own) {
    if (own(event) === false) return;
  } else if (letter === "f" || (typed && /[0-9]/.test(letter))) {
    type(letter);
  } else if (letter === "i") {
    ask();
  } else {
    return;
  }
  event.preventDefault();
}

function follow() {
  const asked = fits(location.hash.slice(1)) ?? slides[0];
  if (asked !== current || !asked.classList.contains("current")) show(asked);
}

root.classList.add("stepping");
addEventListener("hashchange", follow);
addEventListener("keydown", press);
follow();
