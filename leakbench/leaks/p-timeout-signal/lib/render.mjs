import pTimeout from 'p-timeout';

const THEMES = new Map([
  ['light', { fg: '#111', bg: '#fff' }],
  ['dark', { fg: '#eee', bg: '#222' }],
]);

async function lookUp(id) {
  await new Promise((resolve) => setImmediate(resolve));
  return { id, title: `Card ${id}`, tags: ['a', 'b', 'c'] };
}

export async function renderCard(id, theme, signal) {
  const card = await pTimeout(lookUp(id), { milliseconds: 500, signal }); // LEAK
  const { fg, bg } = THEMES.get(theme) ?? THEMES.get('light');
  return `<article style="color:${fg};background:${bg}"><h1>${card.title}</h1>${card.tags.join(' ')}</article>`;
}
