"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.countSessions = void 0;
exports.rememberSession = rememberSession;
const sessions = new Map();
function rememberSession(id, at) {
    const session = { id, at };
    sessions.set(id, session);
    return session;
}
const countSessions = () => sessions.size;
exports.countSessions = countSessions;
//# sourceMappingURL=cache.js.map