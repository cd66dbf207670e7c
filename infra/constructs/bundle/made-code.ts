import { AssetHashType, DockerImage } from 'aws-cdk-lib'
import { Code } from 'aws-cdk-lib/aws-lambda'

/** The code of the function `entry`, which `make` puts into the folder it is given; told from others by what is made. */
export function codeMadeBy(source: string, entry: string, make: (outputDir: string) => void): Code {
  return Code.fromAsset(source, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      local: {
        tryBundle(outputDir) {
          make(outputDir)
          return true
        },
      },
      // Neither runs: CDK asks for an image to fall back to, and tells assets apart by the command.
      image: DockerImage.fromRegistry('unused'),
      command: [entry],
    },
  })
}
