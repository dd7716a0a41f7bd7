"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
const node_http_1 = require("node:http");
const cache_1 = require("./cache");
class RequestLogging {
    constructor() {
        this.logger = { error: (message) => { process.stderr.write(message); } };
    }
    attach(request) {
        const requestId = String(request.url);
        process.on('uncaughtException', (err) => {
            this.logger.error(requestId + err.message);
        });
    }
}
const logging = new RequestLogging();
(0, node_http_1.createServer)((request, response) => {
    logging.attach(request);
    const session = (0, cache_1.rememberSession)(String(request.url), Date.now());
    response.end(`${session.id} ${(0, cache_1.countSessions)()}`);
}).listen(0);
//# sourceMappingURL=server.js.map