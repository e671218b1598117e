/** What a bundle can ask of AWS, read from esbuild's account of what went into it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Metafile = {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >;
};

/** What stands in the place of an adapter that is left out: a sentence and its exports. */
const standInBytes = 500;

/** Files in the bundle of `verb`, from the project's root, but for those that left a stand-in at most. */
export function bundledFiles(dist: string, verb: string): readonly string[] {
  const { outputs } = JSON.parse(readFileSync(join(dist, 'meta.json'), 'utf8')) as Metafile;
  const output = Object.entries(outputs).find(([path]) => path.endsWith(`/${verb}/index.mjs`));
  if (output === undefined) throw new Error(`${dist} holds no bundle of ${verb}`);
  return Object.entries(output[1].inputs).flatMap(([path, { bytesInOutput }]) =>
    bytesInOutput > (path.startsWith('lib/aws/') ? standInBytes : 0) ? [path] : [],
  );
}

/** SDK commands in the bundle, as IAM actions. */
export function bundledActions(dist: string, verb: string): readonly string[] {
  const actions = bundledFiles(dist, verb).flatMap((path) => {
    const [, client = '', command = ''] =
      /@aws-sdk\/client-([\w-]+)\/dist-es\/commands\/(\w+)Command\.js$/.exec(path) ?? [];
    return command === '' ? [] : [actionOf(client, command)];
  });
  return [...new Set(actions)].sort();
}

/** IAM's name of a service, where it is not the client's. */
const services: Readonly<Record<string, string>> = {
  'api-gateway': 'apigateway',
  'application-auto-scaling': 'application-autoscaling',
  'elastic-load-balancing-v2': 'elasticloadbalancing',
  eventbridge: 'events',
  'route-53': 'route53',
  'secrets-manager': 'secretsmanager',
  sfn: 'states',
};

/** Actions that are not called as their command is. API Gateway's are HTTP's own verbs. */
const renamed: Readonly<Record<string, string>> = {
  'apigateway:GetStage': 'apigateway:GET',
  'apigateway:UpdateStage': 'apigateway:PATCH',
  'events:PutEvents': 'events:PutEvents',
  'lambda:Invoke': 'lambda:InvokeFunction',
  'sqs:SendMessageBatch': 'sqs:SendMessage',
  'sns:PublishBatch': 'sns:Publish',
};

function actionOf(client: string, command: string): string {
  const action = `${services[client] ?? client}:${command}`;
  return renamed[action] ?? action;
}
