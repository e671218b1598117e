/** HTTP_PROXY: the request goes to the integration's URI and the answer comes back as it is. */
import { request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ApiCall } from './apiCall.ts';

const HOP_BY_HOP = ['connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'transfer-encoding', 'host'];

export async function forwardHttp(
  call: ApiCall,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { integration } = call.route;
  const target = new URL(targetOf(call));
  for (const [name, value] of call.search) target.searchParams.append(name, value);
  const headers: Record<string, string | string[] | undefined> = { ...incoming.headers };
  for (const name of HOP_BY_HOP) delete headers[name];
  const client = (incoming.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const before = incoming.headers['x-forwarded-for'];
  headers['x-forwarded-for'] = before ? `${before}, ${client}` : client;
  const outgoing = ask(target, {
    method: integration.httpMethod === 'ANY' ? call.method : integration.httpMethod,
    headers,
    agent: false,
    signal: AbortSignal.timeout(integration.timeoutMs),
  });
  await new Promise<void>((resolve) => {
    outgoing.once('response', (back) => {
      const passed = { ...back.headers };
      for (const name of HOP_BY_HOP) delete passed[name];
      response.writeHead(back.statusCode ?? 502, passed);
      back.on('error', () => response.destroy());
      back.pipe(response).once('close', resolve);
    });
    outgoing.on('error', (error) => {
      const late = error.name === 'AbortError' || error.name === 'TimeoutError';
      const message = late ? 'Endpoint request timed out' : 'Internal server error';
      // 504 and 500 with these words are what API Gateway's gateway responses say by default.
      if (response.headersSent) response.destroy();
      else
        response
          .writeHead(late ? 504 : 500, { 'content-type': 'application/json' })
          .end(JSON.stringify({ message }));
      resolve();
    });
    incoming.pipe(outgoing);
  });
}

/** The URI with stage variables and path parameters filled in. A bare host gets `http://`. */
function targetOf({ route, variables, parameters }: ApiCall): string {
  const { uri, requestParameters } = route.integration;
  const filled = uri.replace(/\$\{stageVariables\.(\w+)\}/g, (_, name: string) => variables[name] ?? '');
  const withParameters = filled.replace(/\{(\w+)\+?\}/g, (_, name: string) => {
    const from = requestParameters[`integration.request.path.${name}`]?.replace('method.request.path.', '');
    return parameters[from ?? name] ?? '';
  });
  return /^https?:\/\//.test(withParameters) ? withParameters : `http://${withParameters}`;
}
