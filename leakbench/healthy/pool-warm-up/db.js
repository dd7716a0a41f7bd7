const genericPool = require('generic-pool');
const { EventEmitter } = require('events');

class Connection extends EventEmitter {
  constructor() {
    super();
    this.statements = new Map();
    this.on('error', () => this.statements.clear());
  }

  async run(sql) {
    let statement = this.statements.get(sql);
    if (!statement) {
      statement = { sql, plan: sql.split(' '), runs: 0 };
      this.statements.set(sql, statement);
    }
    statement.runs++;
    await new Promise((resolve) => setTimeout(resolve, 3));
    return [{ n: statement.runs }];
  }
}

const pool = genericPool.createPool(
  { create: async () => new Connection(), destroy: async (c) => c.removeAllListeners() },
  { min: 0, max: 8 },
);

exports.query = async (sql) => {
  const connection = await pool.acquire();
  try {
    return await connection.run(sql);
  } finally {
    await pool.release(connection);
  }
};
