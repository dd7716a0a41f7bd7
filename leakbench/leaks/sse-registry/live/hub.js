class Client {
  constructor(room, res) {
    this.room = room;
    this.res = res;
    this.since = Date.now();
  }

  send(message) {
    if (!this.res.writableEnded) this.res.write(`data: ${JSON.stringify(message)}\n\n`);
  }
}

const clients = new Set();

exports.join = (room, res) => {
  const client = new Client(room, res);
  clients.add(client); // LEAK
  // 'aborted' is an event of requests, not of responses.
  res.on('aborted', () => clients.delete(client));
  return client;
};

exports.broadcast = (room, message) => {
  for (const client of clients) if (client.room === room) client.send(message);
};
