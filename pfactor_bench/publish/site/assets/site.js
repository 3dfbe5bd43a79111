// Sorting and filtering of the leaderboard. Without this file the table is complete, only still.
"use strict";

const table = document.getElementById("leaderboard");
const body = table.tBodies[0];
const rows = Array.from(body.rows);
const form = document.getElementById("filters");
const search = document.getElementById("search");
const suite = document.getElementById("suite");
const regimes = document.getElementById("regimes");
const count = document.getElementById("count");
const columns = Array.from(table.tHead.rows[0].cells);
let sorted = { column: -1, descending: false };

function valueOf(row, column) {
  const cell = row.cells[column];
  if (columns[column].dataset.sort === "number") {
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  }
  return cell.textContent.trim().toLowerCase();
}

// A row without a value stands last, whichever way the others are sorted.
function compare(first, second) {
  const a = valueOf(first, sorted.column);
  const b = valueOf(second, sorted.column);
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" ? a - b : a.localeCompare(b);
  return sorted.descending ? -order : order;
}

function sortBy(column, descending) {
  sorted = { column, descending };
  columns.forEach((head, number) => {
    if (number === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
  rows.sort(compare);
  body.append(...rows);
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    const fits = words.every((word) => text.includes(word))
      && (suite.value === "" || row.dataset.suite === suite.value)
      && (!regimes.checked || row.dataset.kind === "regime");
    row.hidden = !fits;
    shown += fits;
  }
  count.textContent = shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
}

// What is shown is in the address, so that a view can be linked to.
function remember() {
  const view = new URLSearchParams();
  if (search.value) view.set("search", search.value);
  if (suite.value) view.set("suite", suite.value);
  if (regimes.checked) view.set("regimes", "1");
  if (sorted.column >= 0) view.set("sort", `${sorted.descending ? "-" : ""}${sorted.column}`);
  history.replaceState(null, "", view.size ? `#${view}` : location.pathname);
}

function recall() {
  const view = new URLSearchParams(location.hash.slice(1));
  search.value = view.get("search") ?? "";
  suite.value = view.get("suite") ?? "";
  if (suite.selectedIndex < 0) suite.value = "";
  regimes.checked = view.has("regimes");
  const column = Number((view.get("sort") ?? "").replace("-", ""));
  if (view.has("sort") && columns[column]?.dataset.sort) {
    sortBy(column, view.get("sort").startsWith("-"));
  }
  filter();
}

columns.forEach((head, column) => {
  if (!head.dataset.sort) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = head.textContent;
  button.addEventListener("click", () => {
    const first = head.dataset.sort === "number" && column !== 2;
    sortBy(column, sorted.column === column ? !sorted.descending : first);
    remember();
  });
  head.replaceChildren(button);
});
for (const control of [search, suite, regimes]) {
  control.addEventListener("input", () => { filter(); remember(); });
}
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
window.addEventListener("hashchange", recall);
recall();
