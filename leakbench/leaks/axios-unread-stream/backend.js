const http = require('http');

const page = Buffer.alloc(64 * 1024, 'status page ');

// Stands for the machines that are watched; runs in a process of its own in production.
exports.startBackend = () =>
  new Promise((resolve) => {
    const server = http.createServer((req, res) => res.end(page));
    server.timeout = 0;
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
