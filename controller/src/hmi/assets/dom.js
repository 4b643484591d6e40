// Puts values into the page. Elements name the value they show:
//   data-v="a.b"        text            data-show / data-hide="a.b"   visible when (not) truthy
//   data-is="x:a.b,…"   data-x = value  data-list="a"                 one copy of <template> an item
//   data-link="a"       link to parcel  data-meter="a"                value of a meter
//   data-fill="w:a"     words of <main data-w> with {} replaced
// Inside a list, names are looked up in the item first, then in the whole.

export function lookup(path, item, whole) {
  if (path === "") return item;
  const walk = (from) =>
    path.split(".").reduce((value, key) => (value === null || value === undefined ? undefined : value[key]), from);
  const own = item !== null && typeof item === "object" ? walk(item) : undefined;
  return own === undefined ? walk(whole) : own;
}

export function fill(text, value) {
  return text.replace("{}", String(value));
}

export function setText(element, text) {
  const next = text === null || text === undefined ? "" : String(text);
  if (element.textContent !== next) element.textContent = next;
}

function reconcile(list, items, whole) {
  const template = list.querySelector(":scope > template");
  const shown = [];
  for (let next = template.nextElementSibling; next; next = next.nextElementSibling) shown.push(next);
  items.forEach((item, index) => {
    let element = shown[index];
    if (!element) {
      element = template.content.firstElementChild.cloneNode(true);
      list.append(element);
    }
    apply(element, item, whole);
  });
  for (const extra of shown.slice(items.length)) extra.remove();
}

export function apply(element, item, whole) {
  const data = element.dataset;
  if (data.v !== undefined) setText(element, lookup(data.v, item, whole));
  if (data.show !== undefined) element.hidden = !lookup(data.show, item, whole);
  if (data.hide !== undefined) element.hidden = Boolean(lookup(data.hide, item, whole));
  if (data.meter !== undefined) element.value = lookup(data.meter, item, whole);
  if (data.is !== undefined) {
    for (const pair of data.is.split(",")) {
      const [name, path] = pair.split(":");
      data[name] = String(lookup(path, item, whole));
    }
  }
  if (data.link !== undefined) {
    const id = lookup(data.link, item, whole);
    if (id === null || id === undefined) element.removeAttribute("href");
    else element.setAttribute("href", `/parcel/${id}`);
  }
  if (data.fill !== undefined) {
    const [words, path] = data.fill.split(":");
    setText(element, fill(document.getElementById("main").dataset[words], lookup(path, item, whole)));
  }
  if (data.nodeAge !== undefined) {
    const age = lookup(data.nodeAge, item, whole);
    element.ageAtSample = typeof age === "number" ? age : null;
  }
  if (data.list !== undefined && element.querySelector(":scope > template")) {
    reconcile(element, lookup(data.list, item, whole) ?? [], whole);
    return;
  }
  for (const child of element.children) apply(child, item, whole);
}
