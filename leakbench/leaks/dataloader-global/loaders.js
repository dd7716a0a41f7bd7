const DataLoader = require('dataloader');
const { setTimeout: sleep } = require('timers/promises');

async function fetchBooks(ids) {
  await sleep(1);
  return ids.map((id) => ({ id, title: `Book ${id}`, authorId: Number(id) % 40, pages: new Array(20).fill(0.5) }));
}

async function fetchAuthors(ids) {
  await sleep(1);
  return ids.map((id) => ({ id, name: `Author ${id}` }));
}

exports.books = new DataLoader(fetchBooks, { maxBatchSize: 50 }); // LEAK
// Forty of them: this one may keep what it has.
exports.authors = new DataLoader(fetchAuthors);
