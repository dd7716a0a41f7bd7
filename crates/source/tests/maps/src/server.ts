import { createServer, IncomingMessage } from 'node:http';
import { rememberSession, countSessions } from './cache';

type Logger = { error(message: string): void };

class RequestLogging {
  private logger: Logger = { error: (message) => { process.stderr.write(message); } };

  attach(request: IncomingMessage): void {
    const requestId = String(request.url);
    process.on('uncaughtException', (err: Error) => {
      this.logger.error(requestId + err.message);
    });
  }
}

const logging = new RequestLogging();

createServer((request, response) => {
  logging.attach(request);
  const session = rememberSession(String(request.url), Date.now());
  response.end(`${session.id} ${countSessions()}`);
}).listen(0);
