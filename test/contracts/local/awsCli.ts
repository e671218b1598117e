/** Debian's AWS client, as a person would call it against the local cloud. */
import { execFile } from 'node:child_process';

const awsCliPath = '/usr/bin/aws';

type CliResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs `aws <args>` against `endpoint`. */
export function awsCli(endpoint: string, ...args: readonly string[]): Promise<CliResult> {
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_PAGER: '',
    AWS_MAX_ATTEMPTS: '1',
  };
  const all = [
    '--endpoint-url',
    endpoint,
    '--output',
    'json',
    '--cli-binary-format',
    'raw-in-base64-out',
    ...args,
  ];
  return new Promise((resolve) => {
    execFile(awsCliPath, all, { env, timeout: 30_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

/** The JSON that a successful `aws <args>` prints. */
// biome-ignore lint/suspicious/noExplicitAny: whatever shape the command answers
export async function awsCliJson(endpoint: string, ...args: readonly string[]): Promise<any> {
  const { code, stdout, stderr } = await awsCli(endpoint, ...args);
  if (code !== 0) throw new Error(`aws ${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
  return stdout.trim() === '' ? null : JSON.parse(stdout);
}
