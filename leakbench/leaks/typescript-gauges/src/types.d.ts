declare module 'koa';
declare const process: { env: Record<string, string | undefined> };
