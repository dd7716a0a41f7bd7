//! Frameworks and the ways to write a handler.

use super::check;

#[test]
fn nest() {
    check(&[(
        "cats.controller.ts",
        "
import { Controller, Get, Injectable, Param } from '@nestjs/common';
@Injectable()
export class CatsService {
  private readonly cache = new Map<string, object>();
  private readonly recent: string[] = [];
  find(id: string) {
    this.cache.set(id, {}); // LEAK collection
    this.recent.push(id);
    if (this.recent.length > 50) this.recent.shift();
    return this.cache.get(id);
  }
  register(name: string) { this.cache.set(name, {}); }
}
@Controller('cats')
export class CatsController {
  constructor(private readonly cats: CatsService) {}
  private readonly calls: string[] = [];
  @Get(':id')
  findOne(@Param('id') id: string) {
    process.on('warning', () => console.log(id)); // LEAK event-listener
    this.calls.push(id); // LEAK collection
    return this.cats.find(id);
  }
}
",
    )]);
}

#[test]
fn routers_of_other_frameworks() {
    check(&[
        (
            "fastify.js",
            "
const fastify = require('fastify')();
const seen = [];
fastify.route({ method: 'GET', url: '/', handler: async (request) => {
  seen.push(request.id); // LEAK collection
  return 'ok';
} });
",
        ),
        (
            "hapi.js",
            "
const Hapi = require('@hapi/hapi');
const server = Hapi.server({});
const seen = new Set();
server.route({ method: 'GET', path: '/', handler(request, h) {
  seen.add(request.info.id); // LEAK collection
  return 'ok';
} });
",
        ),
        (
            "hono.ts",
            "
import { Hono } from 'hono';
const app = new Hono();
const seen = new Map<string, number>();
app.get('/', (c) => {
  seen.set(c.req.url, 1); // LEAK collection
  return c.text('ok');
});
",
        ),
        (
            "pages/api/user.ts",
            "
const seen: Record<string, number> = {};
export default async function handler(request: any) {
  seen[request.query.id] = 1; // LEAK collection
}
",
        ),
        (
            "lambda.mjs",
            "
const events = [];
export const handler = async (event) => { events.push(event); }; // LEAK collection
",
        ),
        (
            "queue.js",
            "
const amqp = require('amqplib');
const done = [];
async function main() {
  const channel = await (await amqp.connect('')).createChannel();
  channel.consume('jobs', (message) => {
    done.push(message); // LEAK collection
  });
}
main();
",
        ),
    ]);
}

#[test]
fn events_that_handlers_emit() {
    check(&[(
        "app.js",
        "
const { EventEmitter } = require('events');
const bus = new EventEmitter();
const orders = [], setUp = [];
bus.on('order', (order) => orders.push(order)); // LEAK collection
bus.on('start', (name) => setUp.push(name));
bus.emit('start', 'x');
require('http').createServer((req, res) => { bus.emit('order', req.url); res.end(); });
",
    )]);
}

#[test]
fn a_tool_that_runs_once_is_healthy() {
    check(&[(
        "cli.js",
        "
const fs = require('fs');
const files = [], byName = new Map();
const cache = {};
function visit(dir) {
  for (const name of fs.readdirSync(dir)) {
    files.push(name);
    byName.set(name, dir);
    cache[name] = dir;
    process.on('exit', () => console.log(name));
  }
}
visit('.');
class Compiler {
  constructor() { this.plugins = []; this.modules = new Map(); }
  use(plugin) { this.plugins.push(plugin); return this; }
  add(name, module) { this.modules.set(name, module); }
}
module.exports = { Compiler, visit };
",
    )]);
}
