import { ConfigurationError } from '../../lib/model/errors.ts'

/** The topic of the alerts, as the stack names it to a function. Throws ConfigurationError where it does not. */
export function topicArnOf(): string {
  const topicArn = process.env['TOKENKEEPER_TOPIC_ARN']
  if (topicArn?.startsWith('arn:')) return topicArn
  throw new ConfigurationError('the environment of this function is wrong: TOKENKEEPER_TOPIC_ARN', {
    fix: 'deploy the stack again; its variables are not meant to be edited by hand',
  })
}
