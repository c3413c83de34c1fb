"""What an experiment stores: values that are immutable, compared by content, and JSON-able."""

from shotstore.model.data import (
    Data,
    check_data,
    data_from_json,
    data_to_json,
    structured_from_json,
    structured_to_json,
)
from shotstore.model.data_schema import DataSchema, DataType
from shotstore.model.devices import DeviceConfiguration, UnknownDeviceConfiguration
from shotstore.model.expressions import Expression
from shotstore.model.iteration import IterationConfiguration, UnknownIterationConfiguration
from shotstore.model.namespaces import ParameterNamespace
from shotstore.model.open_ended import OpenEnded
from shotstore.model.parameters import (
    Parameter,
    check_parameter_name,
    check_parameters,
    parameter_from_json,
    parameter_to_json,
)
from shotstore.model.quantities import quantity, unit_to_text
from shotstore.model.ranges import ParameterRange, ParameterRanges
from shotstore.model.scalars import JSON
from shotstore.model.schema import ParameterSchema, ParameterType
from shotstore.model.serializer import DefaultSerializer, Serializer
from shotstore.model.steps import (
    ArangeLoop,
    ExecuteShot,
    LinspaceLoop,
    Step,
    StepsConfiguration,
    ValuesLoop,
    VariableDeclaration,
)
from shotstore.model.time_lanes import (
    AnalogTimeLane,
    CameraTimeLane,
    DigitalTimeLane,
    Ramp,
    TakePicture,
    TimeLane,
    TimeLanes,
    UnknownTimeLane,
)

__all__ = [
    "JSON",
    "AnalogTimeLane",
    "ArangeLoop",
    "CameraTimeLane",
    "Data",
    "DataSchema",
    "DataType",
    "DefaultSerializer",
    "DeviceConfiguration",
    "DigitalTimeLane",
    "ExecuteShot",
    "Expression",
    "IterationConfiguration",
    "LinspaceLoop",
    "OpenEnded",
    "Parameter",
    "ParameterNamespace",
    "ParameterRange",
    "ParameterRanges",
    "ParameterSchema",
    "ParameterType",
    "Ramp",
    "Serializer",
    "Step",
    "StepsConfiguration",
    "TakePicture",
    "TimeLane",
    "TimeLanes",
    "UnknownDeviceConfiguration",
    "UnknownIterationConfiguration",
    "UnknownTimeLane",
    "ValuesLoop",
    "VariableDeclaration",
    "check_data",
    "check_parameter_name",
    "check_parameters",
    "data_from_json",
    "data_to_json",
    "parameter_from_json",
    "parameter_to_json",
    "quantity",
    "structured_from_json",
    "structured_to_json",
    "unit_to_text",
]
