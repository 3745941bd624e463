"""`nabiz prepare`: what the roles need before they start, for those who start the roles themselves."""

import click

from pipeline import launch
from pipeline.cli.common import Context, common_options, fail
from pipeline.deployment import Deployment, resolve
from pipeline.secrets import require_same_key


@click.command()
@common_options
def prepare(context: Context) -> None:
    """Make topics, index and watches on the servers that the configuration names, and write the roles' deployment file.

    For containers, where each role is started on its own; 'nabiz up' does all of this itself. Changes nothing that is
    there already. Run it again after a change of the configuration, then start the roles again.

    \b
    Examples:
      nabiz prepare --config institution.yaml --data /srv/nabiz
      nabiz role enrich --deployment /srv/nabiz/live/deployment.json --worker auto
    """
    configuration = context.configuration()
    if launch.needs_embedded(configuration):
        fail(
            context,
            "prepare is for servers of your own: name both kafka and elasticsearch in the configuration, or use 'nabiz up'",
        )
    require_same_key(configuration, context.data)
    deployment = resolve(configuration, context.data)
    launch.prepare(deployment)
    deployment.save()
    context.answer(
        _value(deployment), f"prepared {deployment.kafka.bootstrap} and {deployment.elasticsearch.urls[0]}: {deployment.file}"
    )


def _value(deployment: Deployment) -> dict[str, str]:
    return {
        "deployment": str(deployment.file),
        "kafka": deployment.kafka.bootstrap,
        "elasticsearch": deployment.elasticsearch.urls[0],
    }
