"use strict";
var __importDefault = (this && this.__importDefault) || function (mod) {
    return (mod && mod.__esModule) ? mod : { "default": mod };
};
var _a;
Object.defineProperty(exports, "__esModule", { value: true });
const koa_1 = __importDefault(require("koa"));
const gauges_1 = require("./gauges");
const gauges = new gauges_1.Gauges({ window: 5 });
const app = new koa_1.default();
app.use(async (ctx) => {
    var _a, _b;
    const device = (_a = ctx.path.split('/')[2]) !== null && _a !== void 0 ? _a : 'unknown';
    const reading = { celsius: Number((_b = ctx.query.celsius) !== null && _b !== void 0 ? _b : 0), at: Date.now() };
    ctx.body = { device, mean: gauges.record(device, reading) };
});
const server = app.listen(Number((_a = process.env.PORT) !== null && _a !== void 0 ? _a : 0), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
//# sourceMappingURL=main.js.map