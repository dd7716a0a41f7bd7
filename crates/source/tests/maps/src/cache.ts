// Where sessions are kept.
export interface Session { id: string; at: number; }

const sessions: Map<string, Session> = new Map();

export function rememberSession(id: string, at: number): Session {
  const session: Session = { id, at };
  sessions.set(id, session);
  return session;
}

export const countSessions = (): number => sessions.size;
