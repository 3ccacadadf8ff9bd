"use strict";
const tip = document.getElementById("tip");
const announce = (text) => { document.getElementById("status").textContent = text; };

// ---- names and hazard ratios of symbols, with the pointer and with the keyboard
function showTip(symbol) {
  tip.textContent = symbol.dataset.words;
  tip.hidden = false;
  const box = symbol.getBoundingClientRect();
  const left = Math.min(box.right + 8, innerWidth - tip.offsetWidth - 8);
  const top = Math.min(box.bottom + 8, innerHeight - tip.offsetHeight - 8);
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, top)}px`;
}
const hideTip = () => { tip.hidden = true; };
function openSource(symbol) {
  const source = document.getElementById(symbol.dataset.source);
  if (source && source.showPopover) {
    hideTip();
    source.showPopover();
    source.querySelector(".close").focus(); // the browser returns the focus to the symbol when the sources are closed
  } else showTip(symbol);
}
for (const svg of document.querySelectorAll(".picture svg")) {
  const symbols = [...svg.querySelectorAll(".symbol")];
  const focus = (i) => {
    const next = symbols[(i + symbols.length) % symbols.length];
    symbols.forEach((symbol) => symbol.setAttribute("tabindex", symbol === next ? 0 : -1));
    next.focus();
  };
  symbols.forEach((symbol, i) => {
    const title = symbol.querySelector("title"); // the page shows the words itself
    symbol.dataset.words = title.textContent;
    title.remove();
    symbol.setAttribute("role", "button");
    symbol.setAttribute("tabindex", i ? -1 : 0);
    symbol.addEventListener("pointerenter", () => showTip(symbol));
    symbol.addEventListener("pointerleave", hideTip);
    symbol.addEventListener("focus", () => showTip(symbol));
    symbol.addEventListener("blur", hideTip);
    symbol.addEventListener("click", () => openSource(symbol));
    symbol.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step) focus(i + step);
      else if (event.key === "Enter" || event.key === " ") openSource(symbol);
      else if (event.key === "Escape") hideTip();
      else return;
      event.preventDefault();
    });
  });
}
addEventListener("scroll", hideTip, { passive: true });

// ---- sources that a button opens take the focus, so that a screen reader reads them
for (const source of document.querySelectorAll("[popover]")) {
  source.addEventListener("toggle", (event) => {
    if (event.newState === "open") source.querySelector(".close").focus();
  });
}

// ---- tables: order by a column, copy as CSV
const words = (cell) => cell.textContent.trim();
function value(text) {
  const match = text.replace(/−/g, "-").replace(/,(?=\d{3})/g, "").match(/^[<>≈]?\s*(-?\d+(\.\d+)?)/);
  return match ? Number(match[1]) : NaN;
}
function compare(a, b) {
  const [x, y] = [value(a), value(b)];
  if (!isNaN(x) && !isNaN(y)) return x - y;
  if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1;
  return a.localeCompare(b, "en");
}
function order(table, heading, column) {
  const sign = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const body = table.tBodies[0];
  const text = (row) => words(row.cells[column]);
  body.append(...[...body.rows].sort((a, b) => sign * compare(text(a), text(b))));
  for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
}
function csv(table) {
  // a cell that a spreadsheet would read as a formula gets an apostrophe, as in the files of the folder tables/
  const guard = (text) => (/^[=+@\t\r]|^-(?![\d.])/.test(text) ? `'${text}` : text);
  const quote = (text) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const line = (row) => [...row.cells].map((cell) => quote(guard(words(cell)))).join(",");
  return [...table.rows].map(line).join("\r\n") + "\r\n";
}
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a page from a file has no clipboard in some browsers
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
for (const table of document.querySelectorAll("table.data")) {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.textContent = words(heading);
    heading.replaceChildren(button);
    button.addEventListener("click", () => order(table, heading, column));
  });
  const button = document.createElement("button");
  button.className = "copy";
  button.textContent = "Copy as CSV";
  button.setAttribute("aria-label", `Copy as CSV: ${words(table.caption)}`);
  button.addEventListener("click", async () => {
    await copy(csv(table));
    announce(`${table.dataset.file} copied`);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy as CSV"; }, 2000);
  });
  table.parentElement.before(button);
}

// ---- wide figures and tables can be scrolled with the keyboard, and fade where they continue
const boxes = [...document.querySelectorAll(".scroll")];
const markEnd = (box) => {
  box.classList.toggle("continues", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
};
function markScrollable() {
  for (const box of boxes) {
    if (box.scrollWidth > box.clientWidth) box.setAttribute("tabindex", 0);
    else box.removeAttribute("tabindex");
    markEnd(box);
  }
}
for (const box of boxes) box.addEventListener("scroll", () => markEnd(box), { passive: true });
addEventListener("resize", markScrollable);
document.addEventListener("toggle", markScrollable, true);
markScrollable();

// ---- print every table, also in browsers that hide the rows of closed ones
let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach((part) => { part.open = true; });
});
addEventListener("afterprint", () => { closed.forEach((part) => { part.open = false; }); });
