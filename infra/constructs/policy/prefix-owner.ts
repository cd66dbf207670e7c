import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import { Construct } from 'constructs'

export interface PrefixOwnerProps {
  /** First part of every parameter name, such as /stock-pipeline. */
  readonly prefix: string
  readonly stackName: string
}

/**
 * Says in SSM which stack the parameters below a prefix belong to, for lib/aws/prefix-owner.ts. CloudFormation makes it only
 * where it is not there yet: a second stack on the same prefix ends here, before it has done anything. It goes with the stack.
 */
export class PrefixOwner extends Construct {
  readonly owner: StringParameter

  constructor(scope: Construct, id: string, { prefix, stackName }: PrefixOwnerProps) {
    super(scope, id)
    this.owner = new StringParameter(this, 'Parameter', {
      parameterName: `${prefix}/owner`,
      stringValue: stackName,
      description:
        'The Tokenkeeper stack that everything below this prefix belongs to; another one needs a prefix of its own',
    })
  }
}
