/**
 * Reads `switchback.yml` (or JSON), checks it whole and answers complete settings. Everything that is wrong
 * is said at once, each with file, line and remedy; nothing is half read.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Configuration, settingsOf } from '../../core/config/configuration.ts';
import { withParameters } from './parameters.ts';
import { ConfigurationRefused, readYaml, refused } from './yamlFile.ts';

/**
 * @param stage where it will run: part of the names of the alarms that are made
 * @throws ConfigurationRefused with every problem, each with its line
 */
export async function compileConfiguration(path: string, stage = 'dev'): Promise<Configuration> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigurationRefused(`${path} cannot be read: name an existing file`, { cause });
  }
  return configurationFrom(text, basename(path), stage);
}

/** @param name the file's name, for the messages */
async function configurationFrom(text: string, name: string, stage: string): Promise<Configuration> {
  const { value: written, document, lines } = readYaml(text, name);
  const { value, problems } = await withParameters(written);
  if (problems.length > 0) throw refused(problems, document, lines, name);
  const result = settingsOf(value, stage);
  if ('problems' in result) throw refused(result.problems, document, lines, name);
  return result;
}
