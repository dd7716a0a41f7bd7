const genericPool = require('generic-pool');

let closed = 0;

class Connection {
  constructor() {
    this.written = 0;
  }

  async write(row) {
    if (!row.agent) return false;
    this.written++;
    return row.path.length < 2000;
  }
}

const pool = genericPool.createPool(
  { create: async () => new Connection(), destroy: async () => {} },
  { min: 1, max: 8 },
);

exports.track = async (path, agent) => {
  const row = { path, agent, at: new Date() };
  const connection = await pool.acquire(); // LEAK
  if (await connection.write(row)) return;
  await pool.release(connection);
};

exports.count = () => ++closed;
