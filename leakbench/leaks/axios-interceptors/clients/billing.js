const axios = require('axios');
const { Agent } = require('http');

const client = axios.create({ timeout: 3000, httpAgent: new Agent({ keepAlive: true }) });

client.interceptors.response.use(
  (response) => response.data,
  (err) => Promise.reject(new Error(`billing: ${err.message}`)),
);

exports.configure = (baseURL) => {
  client.defaults.baseURL = baseURL;
};

exports.as = (token) => {
  client.interceptors.request.use((config) => { // LEAK
    config.headers.authorization = token;
    return config;
  });
  return {
    invoice: (id) => client.get(`/invoices/${id}`),
  };
};
