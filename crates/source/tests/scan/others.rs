//! The other families.

use super::check;

#[test]
fn middleware_and_interceptors() {
    check(&[(
        "app.js",
        "
const express = require('express');
const axios = require('axios');
const app = express();
const api = axios.create();
const cleaned = axios.create();
const settings = new Map();
app.use((req, res, next) => next());
app.get('/', async (req, res) => {
  app.use((req, res, next) => next()); // LEAK middleware
  req.app.get('/x/' + req.query.id, (req, res) => res.end()); // LEAK middleware
  api.interceptors.request.use((config) => config); // LEAK middleware
  const own = axios.create();
  own.interceptors.request.use((config) => config);
  const id = cleaned.interceptors.request.use((config) => config);
  cleaned.interceptors.request.eject(id);
  const router = express.Router();
  router.get('/', (req, res) => res.end());
  app.get('env');
  settings.get('x');
  res.end();
});
",
    )]);
}

#[test]
fn loggers() {
    check(&[(
        "app.js",
        "
const winston = require('winston');
const pino = require('pino');
const app = require('express')();
let current = pino();
const logger = winston.createLogger({ transports: [new winston.transports.Console()] });
logger.add(new winston.transports.File({ filename: 'all.log' }));
app.get('/', (req, res) => {
  logger.add(new winston.transports.File({ filename: req.id })); // LEAK logger
  winston.createLogger({ transports: [new winston.transports.File({ filename: 'x' })] }); // LEAK logger
  winston.createLogger({ transports: [new winston.transports.Console()] });
  pino.transport({ target: 'pino/file' }); // LEAK logger
  logger.child({ id: req.id }).info('x');
  current = current.child({ id: req.id }); // LEAK logger
  res.end();
});
",
    )]);
}

#[test]
fn models_and_clients() {
    check(&[(
        "app.ts",
        "
import mongoose from 'mongoose';
import { PrismaClient } from '@prisma/client';
import { Pool } from 'pg';
import express, { Request, Response } from 'express';
const app = express();
const prisma = new PrismaClient();
const User = mongoose.model('User', new mongoose.Schema({}));
app.get('/', async (req: Request, res: Response) => {
  const Tenant = mongoose.model('T' + req.query.id, new mongoose.Schema({})); // LEAK model
  mongoose.model('User').find();
  const db = new PrismaClient(); // LEAK model
  res.json(await db.user.findMany());
});
app.get('/closed', async (req, res) => {
  const pool = new Pool();
  try { res.json(await pool.query('select 1')); } finally { await pool.end(); }
});
",
    )]);
}

#[test]
fn code_and_modules() {
    check(&[
        (
            "app.mjs",
            "
import { createServer } from 'http';
let loads = 0;
createServer(async (req, res) => {
  await import(`./plugin.mjs?t=${Date.now()}`); // LEAK code-growth
  await import('./plugin.mjs?v=' + req.url); // LEAK code-growth
  const address = `./plugin.mjs?n=${++loads}`;
  await import(address); // LEAK code-growth
  const fixed = './plugin.mjs';
  await import(fixed);
  await import(`./locales/${req.headers.lang}.mjs`);
  await import('./plugin.mjs');
});
const reload = () => import(`./config.mjs?${Date.now()}`);
await reload();
",
        ),
        (
            "app.cjs",
            "
const app = require('express')();
app.get('/', (req, res) => {
  delete require.cache[require.resolve('./data')];
  res.json(require('./data')); // LEAK module-growth
});
delete require.cache[require.resolve('./data')];
",
        ),
    ]);
}

#[test]
fn contexts_and_promises() {
    check(&[(
        "app.js",
        "
const { AsyncLocalStorage, createHook } = require('async_hooks');
const als = new AsyncLocalStorage();
const shutdown = new Promise((resolve) => process.once('SIGTERM', resolve));
const fetchAll = () => fetch('http://localhost');
require('http').createServer(async (req, res) => {
  als.enterWith({ id: req.url }); // LEAK async-context
  als.run({ id: req.url }, () => res.end());
  createHook({ init() {} }).enable(); // LEAK async-context
  await Promise.race([fetchAll(), shutdown]); // LEAK pending-promise
  const timeout = new Promise((resolve) => setTimeout(resolve, 10));
  await Promise.race([fetchAll(), timeout]);
  await Promise.race([fetchAll(), fetchAll()]);
});
",
    )]);
}

#[test]
fn workers_labels_and_sessions() {
    check(&[(
        "app.js",
        "
const { Worker } = require('node:worker_threads');
const client = require('prom-client');
const session = require('express-session');
const RedisStore = require('connect-redis');
const app = require('express')();
const requests = new client.Counter({ name: 'a', help: 'a', labelNames: ['path', 'method'] });
const times = new client.Histogram({ name: 'b', help: 'b', labelNames: ['path'] });
app.use(session({ secret: 'x', resave: false })); // LEAK session-store
app.use(session({ secret: 'x', store: new RedisStore({}) }));
app.use(session(require('./session-options')));
app.get('/', (req, res) => {
  requests.inc({ path: req.originalUrl, method: req.method }); // LEAK metric-labels
  requests.labels(req.url, req.method).inc(); // LEAK metric-labels
  requests.labels(req.route.path, req.method).inc();
  const labels = { path: req.url, method: req.method };
  requests.inc(labels); // LEAK metric-labels
  requests.inc({ path: normalise(req.path), method: req.method });
  times.startTimer({ path: req.params.id }); // LEAK metric-labels
  times.observe({ path: req.route.path }, req.query.seconds);
  const lost = new Worker('./work.js'); // LEAK worker
  lost.postMessage(req.body);
  const ended = new Worker('./work.js');
  ended.postMessage(req.body);
  ended.once('message', () => ended.terminate());
  const once = new Worker('./script.js', { workerData: req.body });
  once.on('message', (m) => res.json(m));
});
const normalise = (path) => path.replace(/\\d+/g, ':id');
",
    )]);
}

#[test]
fn chains() {
    check(&[(
        "audit.js",
        "
class Entry {
  constructor(previous, action) { this.previous = previous; this.action = action; }
}
let last = new Entry(null, 'start');
let span, state = {}, undo, hash, local;
require('http').createServer((req, res) => {
  last = new Entry(last, req.url); // LEAK chain
  span = { parent: span, url: req.url }; // LEAK chain
  state = { ...state, url: req.url };
  undo = { before: undo, url: req.url };
  undo.before = undefined;
  hash = { of: hash.id, url: req.url };
  let local = {};
  local = { inner: local };
  res.end(last.action);
});
",
    )]);
}
