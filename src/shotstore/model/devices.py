"""Configurations of the devices of an experiment."""

import attrs

from shotstore.model.scalars import JSON, copy_json


@attrs.frozen(kw_only=True)
class DeviceConfiguration:
    """How one device is set up for a sequence. Made to be subclassed with ``attrs``.

    >>> @attrs.frozen
    ... class CameraConfiguration(DeviceConfiguration):
    ...     exposure: float
    >>> CameraConfiguration(0.1, remote_server="imaging-pc")
    CameraConfiguration(remote_server='imaging-pc', exposure=0.1)

    Attributes:
        remote_server: Name of the computer that controls the device, ``None`` for this one.
    """

    remote_server: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(str))
    )


@attrs.frozen
class UnknownDeviceConfiguration(DeviceConfiguration):
    """A stored configuration whose class is not registered here, kept as it was stored.

    It is written back unchanged, so that an archive can be read and copied without the package of
    the lab that wrote it.

    Attributes:
        tag: The name under which its class was registered.
        content: Its JSON.
        remote_server: Taken from ``content`` where that has one.
    """

    tag: str = attrs.field(validator=attrs.validators.instance_of(str))
    content: JSON = attrs.field(converter=copy_json, hash=False)
    remote_server: str | None = attrs.field(init=False, kw_only=True)

    @remote_server.default
    def _remote_server_in_content(self) -> str | None:
        match self.content:
            case {"remote_server": str(name)}:
                return name
        return None
