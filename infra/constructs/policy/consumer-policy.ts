import { ManagedPolicy } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import type { VaultKeys } from '../vault-keys.ts'
import { acknowledgePublishedTokens, readPublishedTokens } from './published-tokens.ts'

export interface ConsumerPolicyProps {
  readonly brokerId: string
  /** First part of every parameter name, such as /stock-pipeline. */
  readonly parameterPrefix: string
  /** The keys its parameters lie under. */
  readonly vaultKeys: VaultKeys
}

/**
 * What a program that uses the tokens of one broker may do, to be attached to its role: read what is published of every
 * account, one by one or several at once. Neither a credential nor the app's id, and nothing by path, which would give
 * the whole folder.
 */
export class ConsumerPolicy extends Construct {
  readonly policy: ManagedPolicy

  constructor(scope: Construct, id: string, props: ConsumerPolicyProps) {
    super(scope, id)
    const published = {
      ...props,
      brokers: [{ brokerId: props.brokerId, headerNamesApp: false }],
      actions: ['ssm:GetParameter', 'ssm:GetParameters'],
    }
    this.policy = new ManagedPolicy(this, 'Policy', {
      // CloudFormation names it: a name of ours would be the same in every region, and IAM has one name space for all.
      description: `Lets a program read the published tokens of ${props.brokerId}`,
      statements: [...readPublishedTokens(this, published)],
    })
    acknowledgePublishedTokens(this.policy, published)
  }
}
