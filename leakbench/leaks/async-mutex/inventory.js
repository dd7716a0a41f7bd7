const { Mutex } = require('async-mutex');

const mutex = new Mutex();
const stock = { shirt: 40, shoes: 12 };
let journal = [];

async function write(entry) {
  await new Promise((resolve) => setImmediate(resolve));
  journal = [...journal.slice(-99), entry];
}

exports.book = async (sku, count) => {
  const order = { sku, count, at: new Date(), lines: new Array(10).fill(sku) };
  const release = await mutex.acquire(); // LEAK
  if (!(sku in stock)) {
    await write({ unknown: order });
    return false;
  }
  stock[sku] -= count;
  await write(order);
  release();
  return true;
};
