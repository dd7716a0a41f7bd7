'use strict';

// What only a browser's heap holds: elements in the document and outside it, listeners, frames that are gone. Beside the
// zoo on the page that take.mjs opens in Chromium.

function build() {
  const rows = [];
  for (let i = 0; i < 50; i++) {
    const row = document.createElement('div');
    row.id = `row-${i}`;
    row.className = 'row with several names';
    row.innerHTML = `<span data-i="${i}">text ${i}</span><a href="#x" title="say &quot;hi&quot;">link</a><input value="${i}">`;
    const state = { i, row };
    row.addEventListener('click', () => state);
    document.body.appendChild(row);
    rows.push(row);
  }
  // A tree outside the document that JavaScript holds by one inner node: the whole tree stays.
  const tree = document.createElement('section');
  for (let i = 0; i < 20; i++) tree.appendChild(document.createElement('p')).textContent = `detached ${i}`;
  const inner = tree.children[7].firstChild;
  const fragment = document.createDocumentFragment();
  fragment.appendChild(document.createElement('table')).insertRow().insertCell().textContent = 'cell';

  class Card extends HTMLElement {
    constructor() {
      super();
      this.attachShadow({ mode: 'open' }).innerHTML = '<slot></slot><b>shadow</b>';
      this.model = { card: true };
    }
  }
  customElements.define('zoo-card', Card);
  const cards = Array.from({ length: 5 }, () => document.body.appendChild(document.createElement('zoo-card')));

  const frame = document.body.appendChild(document.createElement('iframe'));
  const foreign = frame.contentWindow.eval('({ from: "a frame", list: [1, {}, "three"] })');
  const canvas = document.createElement('canvas');
  const observer = new MutationObserver(() => rows);
  observer.observe(document.body, { childList: true });
  return { rows, inner, fragment, cards, frame, foreign, canvas, observer, abort: new AbortController() };
}

function work(page) {
  for (const row of page.rows.slice(0, 25)) row.remove();
  page.frame.remove();
  page.cards[0].remove();
  page.inner = null;
  page.late = Array.from({ length: 30 }, () => document.createElement('article'));
}

module.exports = { build, work };
