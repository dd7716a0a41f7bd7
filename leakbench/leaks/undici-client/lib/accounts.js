const { Client } = require('undici');

class Accounts {
  constructor(origin) {
    this.origin = origin;
    this.calls = 0;
  }

  async balance(id) {
    this.calls++;
    const client = new Client(this.origin, { keepAliveTimeout: 600_000 }); // LEAK
    const { statusCode, body } = await client.request({ method: 'GET', path: `/ledger/${id}` });
    if (statusCode !== 200) {
      await client.close();
      throw new Error(`ledger answered ${statusCode}`);
    }
    return body.json();
  }
}

module.exports = { Accounts };
