// Parcels on the belt: between two samples they go on at belt speed, towards where the next sample
// puts them; never backwards unless the sample is far off. Without motion for people who ask so.

import { setText } from "./dom.js";

const NS = "http://www.w3.org/2000/svg";
const MIDDLE = 450;
const CARRY_ON_MS = 1000; // as long as values count as fresh
const JUMP_MM = 600; // further off than this is shown at once
const PULL = 4; // share of the difference that goes in a second

const still = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Belt {
  constructor(svg) {
    this.svg = svg;
    this.group = svg.querySelector("#parcels");
    this.parcels = new Map();
    this.belt = { moving: false, speed_mm_s: 0 };
    for (const element of this.group.children) {
      const at = Number(/translate\((-?\d+)/.exec(element.getAttribute("transform"))?.[1] ?? 0);
      this.parcels.set(Number(element.dataset.id), { element, at, sampled: at });
    }
    this.last = performance.now();
    requestAnimationFrame((now) => this.frame(now));
  }

  show(belt) {
    this.belt = belt;
    this.sampledAt = performance.now();
    this.svg.setAttribute("aria-label", belt.label);
    const gone = new Set(this.parcels.keys());
    for (const parcel of belt.parcels) {
      gone.delete(parcel.id);
      let shown = this.parcels.get(parcel.id);
      if (!shown) {
        shown = { element: this.make(parcel.id), at: parcel.at_mm };
        this.parcels.set(parcel.id, shown);
      }
      shown.sampled = parcel.at_mm;
      shown.element.classList.toggle("end", parcel.end);
      if (shown.element.getAttribute("aria-label") !== parcel.label) {
        shown.element.setAttribute("aria-label", parcel.label);
        setText(shown.element.querySelector("title"), parcel.label);
      }
      setText(shown.element.querySelector("text"), parcel.goes);
      if (still.matches) this.place(shown, parcel.at_mm);
    }
    for (const id of gone) {
      this.parcels.get(id).element.remove();
      this.parcels.delete(id);
    }
  }

  make(id) {
    const link = document.createElementNS(NS, "a");
    link.setAttribute("class", "parcel");
    link.setAttribute("href", `/parcel/${id}`);
    link.dataset.id = String(id);
    const box = document.createElementNS(NS, "rect");
    for (const [name, value] of [["x", -330], ["y", -130], ["width", 330], ["height", 260], ["rx", 24]]) {
      box.setAttribute(name, String(value));
    }
    const text = document.createElementNS(NS, "text");
    text.setAttribute("x", "-165");
    text.setAttribute("y", "56");
    link.append(document.createElementNS(NS, "title"), box, text);
    this.group.append(link);
    return link;
  }

  place(shown, at) {
    shown.at = at;
    shown.element.setAttribute("transform", `translate(${Math.round(at)} ${MIDDLE})`);
  }

  frame(now) {
    const seconds = Math.min(now - this.last, 250) / 1000;
    this.last = now;
    if (!still.matches && this.sampledAt !== undefined) {
      const age = Math.min(now - this.sampledAt, CARRY_ON_MS) / 1000;
      const speed = this.belt.moving ? this.belt.speed_mm_s : 0;
      for (const shown of this.parcels.values()) {
        const target = shown.sampled + speed * age;
        const off = target - shown.at;
        if (Math.abs(off) > JUMP_MM) this.place(shown, target);
        else if (off > 0) this.place(shown, shown.at + Math.min(off, speed * seconds + off * PULL * seconds));
        else if (off < 0 && speed === 0) this.place(shown, shown.at + off * PULL * seconds);
      }
    }
    requestAnimationFrame((next) => this.frame(next));
  }
}
