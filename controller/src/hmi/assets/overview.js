// The overview: one stream of samples, and the age of everything it shows.

import { Belt } from "./belt.js";
import { connect } from "./commands.js";
import { apply, fill, setText } from "./dom.js";

const NODE_STALE_MS = 2500; // every node's status is read once a second: two missed, and some
const RETRY_MS = 2000;

const main = document.getElementById("main");
const stale = document.getElementById("stale");
const said = document.getElementById("said");
const words = main.dataset;
const staleAfter = 2 * Number(words.period) + 250; // two missed updates and a network's delay
const belt = new Belt(document.getElementById("belt"));
let sampleAt = performance.now(); // when the newest sample was fresh, on this page's clock
let heardAt = performance.now(); // when the stream said anything

function onView(event) {
  const view = JSON.parse(event.data);
  heardAt = performance.now();
  sampleAt = heardAt - view.age_ms;
  apply(main, view, view);
  apply(document.getElementById("tie"), view, view);
  belt.show(view.belt);
  // Good news of a press is over when the line reports a fault.
  if (view.state.tone === "alarm" && said.dataset.tone === "normal") setText(said, "");
  describeReasons();
  showAges();
}

// A button that would be refused stays reachable and says why, in the words right below it.
function describeReasons() {
  for (const command of main.querySelectorAll(".command")) {
    const button = command.querySelector("button");
    const why = command.querySelector(".reason");
    why.id = `why-${button.dataset.command}`;
    button.setAttribute("aria-describedby", why.id);
    button.setAttribute("aria-disabled", String(button.dataset.ready !== "true"));
  }
}

function age(ms) {
  return ms < 1000 ? words.ageNow : fill(words.ageSeconds, Math.floor(ms / 1000));
}

function showAges() {
  const now = performance.now();
  const old = now - sampleAt;
  for (const element of document.querySelectorAll("[data-age]")) setText(element, age(old));
  for (const element of document.querySelectorAll("[data-node-age]")) {
    const atSample = element.ageAtSample;
    if (atSample === undefined) continue;
    const ms = atSample === null ? null : atSample + old;
    setText(element, ms === null ? words.ageNever : ms < 1000 ? `${Math.round(ms / 10) * 10} ms` : `${(ms / 1000).toFixed(1)} s`);
    element.parentElement.classList.toggle("old", ms === null || ms > NODE_STALE_MS);
  }
  const isOld = old > staleAfter;
  document.body.classList.toggle("stale", isOld);
  stale.hidden = !isOld;
  if (isOld) {
    const linkLost = now - heardAt > staleAfter + 1000;
    setText(stale, fill(linkLost ? words.staleLink : words.staleController, Math.floor(old / 1000)));
  }
}

function listen() {
  const stream = new EventSource(`/api/events?lang=${document.documentElement.lang}`);
  stream.addEventListener("view", onView);
  stream.addEventListener("beat", () => {
    heardAt = performance.now();
  });
  // The browser comes back by itself after a broken connection, but not after a refusal.
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
  });
  window.addEventListener("pagehide", () => stream.close(), { once: true });
}

describeReasons();
connect(main);
listen();
setInterval(showAges, 200);
// Scanners type like a keyboard: the box is ready unless a person is somewhere else.
if (window.matchMedia("(hover: hover)").matches) document.getElementById("scan").focus({ preventScroll: true });
// A page that comes back from the browser's memory has lost its stream.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) listen();
});
