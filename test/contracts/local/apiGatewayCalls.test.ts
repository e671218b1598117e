import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../lib/local/freePort.ts';
import { type ApiTestDesk, apiDesk, type Given, variable } from './apiDesk.ts';
import { get } from './elbDesk.ts';

let desk: ApiTestDesk;
beforeEach(async () => {
  desk = await apiDesk();
});
afterEach(() => desk.close());

describe('calls', () => {
  it('take the most specific route', async () => {
    await desk.twoPhases();
    await desk.create('books');
    const own = await desk.backends.target((request, response) => response.end(request.url));
    const to = (path: string): Given => ({
      type: 'HTTP_PROXY',
      uri: `http://127.0.0.1:${own}${path}`,
      integrationHttpMethod: 'ANY',
    });
    const books = await desk.route('books', to('/list'), 'GET');
    await desk.route('{id}', to('/one/{id}'), 'GET', books);
    await desk.route('best', to('/best'), 'GET', books);
    await desk.route('{proxy+}', to('/rest/{proxy}'));
    await desk.deploy();
    const found: string[] = [];
    for (const path of ['/books', '/books/7', '/books/best', '/users/1'])
      found.push((await desk.get(path)).body);
    expect(found).toEqual(['/list', '/one/7', '/best', '/rest/users/1']);
    expect((await desk.get('/books', { method: 'DELETE' })).body).toBe('/rest/books');
  });

  it('reach functions as events, by the stage’s variable', async () => {
    await desk.create('fn');
    const arn = `arn:aws:lambda:eu-west-1:1:function:cart:${variable('alias')}`;
    const uri = `arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${arn}/invocations`;
    await desk.route('{proxy+}', { type: 'AWS_PROXY', uri, integrationHttpMethod: 'POST' });
    await desk.deploy({ variables: { alias: 'phase1' } });
    const reply = await desk.get('/carts/9?a=1&a=2', { method: 'PUT', body: '{"n":1}' });
    expect([reply.status, reply.body, reply.headers['x-by']]).toEqual([201, 'made', 'function']);
    expect(desk.invoked[0]).toMatchObject({
      arn: 'arn:aws:lambda:eu-west-1:1:function:cart:phase1',
      event: {
        resource: '/{proxy+}',
        path: '/carts/9',
        httpMethod: 'PUT',
        queryStringParameters: { a: '2' },
        multiValueQueryStringParameters: { a: ['1', '2'] },
        pathParameters: { proxy: 'carts/9' },
        stageVariables: { alias: 'phase1' },
        body: '{"n":1}',
      },
    });
    await desk.patch({ op: 'replace', path: '/variables/alias', value: 'broken' });
    expect((await desk.get('/x')).status).toBe(502);
  });

  it('that find nothing are refused as on AWS', async () => {
    await desk.twoPhases();
    expect((await desk.get('')).body).toBe('{"message":"Missing Authentication Token"}');
    const { port } = await desk.address();
    expect((await get(port, { path: '/none/prod/x' })).status).toBe(403);
    await desk.patch({ op: 'replace', path: '/variables/backend', value: `127.0.0.1:${await freePort()}` });
    expect((await desk.get('/x')).status).toBe(500);
  });

  it('are counted by API and stage, the canary’s again', async () => {
    const { phase2 } = await desk.twoPhases();
    await desk.deploy({
      canarySettings: { percentTraffic: 100, stageVariableOverrides: { backend: phase2 } },
    });
    await desk.get('/a');
    await desk.get('/b');
    await desk.clock.advance(60_000);
    const counted = desk.metrics
      .filter(({ name }) => name === 'Count')
      .map(({ dimensions, counts }) => [dimensions.map(({ Value }) => Value).join(), counts?.[0]]);
    expect(counted).toEqual([
      ['shop', 2],
      ['shop,prod', 2],
      ['shop,prod/Canary', 2],
    ]);
    expect(new Set(desk.metrics.map(({ name }) => name))).toEqual(
      new Set(['Count', '4XXError', '5XXError', 'Latency']),
    );
  });
});
