const axios = require('axios');
const http = require('http');

const client = axios.create({
  httpAgent: new http.Agent({ keepAlive: true }),
  validateStatus: () => true,
});

const results = { up: 0, down: 0 };

exports.isUp = async (url) => {
  const response = await client.get(url, { responseType: 'stream' }); // LEAK
  const up = response.status < 500;
  results[up ? 'up' : 'down']++;
  return up;
};
