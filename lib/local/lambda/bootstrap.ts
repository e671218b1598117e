/**
 * What runs in a function's process: loads the bundle, then takes one event after the other from the parent
 * and answers it, as Lambda's Node.js runtime does. Started with the module's path and the export's name;
 * everything else comes from the environment, as on AWS.
 */
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import type { FromParent, Reported, ToParent } from './workerMessages.ts';

type Handler = (event: unknown, context: object) => unknown;
type Level = 'INFO' | 'DEBUG' | 'WARN' | 'ERROR' | 'TRACE';

const [modulePath = '', exportName = ''] = process.argv.slice(2);
let requestId = '';

function tell(message: ToParent): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

/** Marks the end of one request's output, so that the parent knows that it has read all of it. */
function endOutput(id: string): void {
  for (const stream of [process.stdout, process.stderr]) stream.write(`\u0001${id}\u0001\n`);
}

/** Lambda's text format: time, request, level, message; or one JSON object a line. */
function patchConsole(): void {
  const json = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
  const log =
    (level: Level) =>
    (...parts: unknown[]) => {
      const timestamp = new Date().toISOString();
      const message = format(...parts);
      const line = json
        ? JSON.stringify({ timestamp, level, requestId, message: parts.length === 1 ? parts[0] : message })
        : [timestamp, requestId, level, message.replaceAll('\n', '\r')].join('\t');
      process.stdout.write(`${line}\n`);
    };
  console.log = console.info = log('INFO');
  console.debug = log('DEBUG');
  console.warn = log('WARN');
  console.error = log('ERROR');
  console.trace = log('TRACE');
}

function reported(error: unknown): Reported {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

async function loadHandler(): Promise<Handler> {
  const module = (await import(pathToFileURL(modulePath).href)) as Record<string, unknown>;
  const exported =
    module[exportName] ?? (module.default as Record<string, unknown> | undefined)?.[exportName];
  if (typeof exported === 'function') return exported as Handler;
  const error = new Error(`${exportName} is undefined or not exported by ${modulePath}`);
  error.name = 'Runtime.HandlerNotFound';
  throw error;
}

function contextOf(request: FromParent) {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: request.functionArn,
    awsRequestId: request.requestId,
    clientContext: request.clientContext === null ? undefined : JSON.parse(request.clientContext),
    getRemainingTimeInMillis: () => request.deadlineMs - Date.now(),
  };
}

async function answer(handler: Handler, request: FromParent): Promise<void> {
  requestId = request.requestId;
  process.env._X_AMZN_TRACE_ID = request.traceId;
  let message: ToParent;
  try {
    const result = await handler(JSON.parse(request.event), contextOf(request));
    message = { type: 'result', requestId: request.requestId, payload: JSON.stringify(result) ?? 'null' };
  } catch (error) {
    console.error('Invoke Error', JSON.stringify(reported(error)));
    message = { type: 'error', requestId: request.requestId, error: reported(error), dying: false };
  }
  endOutput(request.requestId);
  await tell(message);
}

/** An error that nobody caught ends the process, and is the answer of the request under way. */
async function die(error: unknown, errorType?: string): Promise<void> {
  const told = { ...reported(error), ...(errorType === undefined ? {} : { errorType }) };
  process.stderr.write(
    `${new Date().toISOString()}\t${requestId}\tERROR\tUncaught Exception\t${JSON.stringify(told)}\n`,
  );
  endOutput(requestId);
  await tell({ type: 'error', requestId, error: told, dying: true });
  process.exit(129);
}

process.on('disconnect', () => process.exit(0));
process.on('uncaughtException', (error) => void die(error));
process.on('unhandledRejection', (error) => void die(error, 'Runtime.UnhandledPromiseRejection'));
patchConsole();
try {
  const handler = await loadHandler();
  process.on('message', (request: FromParent) => void answer(handler, request));
  await tell({ type: 'ready' });
} catch (error) {
  const told = reported(error);
  const missing = (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
  const errorType = missing
    ? 'Runtime.ImportModuleError'
    : error instanceof SyntaxError
      ? 'Runtime.UserCodeSyntaxError'
      : told.errorType;
  await tell({ type: 'init-error', error: { ...told, errorType } });
  process.exit(1);
}
