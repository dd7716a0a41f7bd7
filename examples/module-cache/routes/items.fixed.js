'use strict';

const { randomUUID } = require('node:crypto');
const cache = require('../lib/cache.fixed');
const { events } = require('../lib/events');
const { findItem, listItems, priceOf } = require('../lib/catalogue');

function render(item, currency) {
  return {
    id: item.id,
    title: item.title,
    tags: item.tags.join(','),
    price: { cents: priceOf(item, currency), currency },
    renderedAt: new Date().toISOString(),
  };
}

function show(req, res, url) {
  const requestId = req.headers['x-request-id'] || randomUUID();
  const repeated = cache.get(requestId);
  if (repeated) return send(res, requestId, repeated);

  const item = findItem(Number(url.pathname.split('/').pop()));
  if (!item) {
    events.emit('miss', url.pathname);
    return send(res, requestId, { status: 404, body: { error: 'no such item' } });
  }

  const headers = new Map(Object.entries(req.headers));
  headers.set('x-request-id', requestId);
  const answer = {
    status: 200,
    agent: headers.get('user-agent') || 'unknown',
    body: render(item, url.searchParams.get('currency') || 'EUR'),
  };
  cache.set(requestId, answer);
  return send(res, requestId, answer);
}

function list(req, res) {
  const items = listItems().map(({ id, title }) => ({ id, title }));
  send(res, randomUUID(), { status: 200, body: { items } });
}

function send(res, requestId, answer) {
  events.emit('served', answer.status);
  res.writeHead(answer.status, { 'content-type': 'application/json', 'x-request-id': requestId });
  res.end(JSON.stringify(answer.body));
}

module.exports = { show, list };
