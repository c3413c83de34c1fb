CREATE TABLE paths (
id BIGSERIAL NOT NULL,
parent_id BIGINT,
name TEXT NOT NULL,
created TIMESTAMP WITH TIME ZONE NOT NULL,
note JSON,
CONSTRAINT pk_paths PRIMARY KEY (id),
CONSTRAINT uq_paths_parent_id_name UNIQUE (parent_id, name),
CONSTRAINT fk_paths_parent_id FOREIGN KEY(parent_id) REFERENCES paths (id) ON DELETE CASCADE
)
CREATE TABLE device_configurations (
name TEXT NOT NULL,
type JSON NOT NULL,
content JSON NOT NULL,
CONSTRAINT pk_device_configurations PRIMARY KEY (name)
)
CREATE TABLE global_parameters (
id INTEGER NOT NULL,
content JSON NOT NULL,
CONSTRAINT pk_global_parameters PRIMARY KEY (id)
)
CREATE TABLE units (
id INTEGER NOT NULL,
definition TEXT NOT NULL,
CONSTRAINT pk_units PRIMARY KEY (id)
)
CREATE TABLE writer (
id SERIAL NOT NULL,
CONSTRAINT pk_writer PRIMARY KEY (id)
)
CREATE TABLE shotstore_version (
version_num VARCHAR(32) NOT NULL,
CONSTRAINT pk_shotstore_version PRIMARY KEY (version_num)
)
CREATE TABLE sequences (
path_id BIGINT NOT NULL,
state VARCHAR(16) NOT NULL,
start_time TIMESTAMP WITH TIME ZONE,
stop_time TIMESTAMP WITH TIME ZONE,
expected_number_of_shots BIGINT,
number_of_shots BIGINT,
iteration JSON NOT NULL,
time_lanes JSON NOT NULL,
exception JSON,
interruptions JSON NOT NULL,
tags JSON NOT NULL,
note JSON NOT NULL,
measured JSON,
recorder VARCHAR(32),
global_parameters JSON,
device_configurations JSON,
number_of_retakes BIGINT NOT NULL,
parameter_schema JSON NOT NULL,
data_schema JSON NOT NULL,
CONSTRAINT pk_sequences PRIMARY KEY (path_id),
CONSTRAINT fk_sequences_path_id FOREIGN KEY(path_id) REFERENCES paths (id) ON DELETE CASCADE
)
CREATE INDEX ix_sequences_state ON sequences (state)
CREATE TABLE shots (
id BIGSERIAL NOT NULL,
sequence_id BIGINT NOT NULL,
shot_index BIGINT NOT NULL,
attempt INTEGER NOT NULL,
start_time TIMESTAMP WITH TIME ZONE NOT NULL,
end_time TIMESTAMP WITH TIME ZONE NOT NULL,
parameters JSON NOT NULL,
data JSON NOT NULL,
CONSTRAINT pk_shots PRIMARY KEY (id),
CONSTRAINT uq_shots_sequence_id_shot_index_attempt UNIQUE (sequence_id, shot_index, attempt),
CONSTRAINT fk_shots_sequence_id FOREIGN KEY(sequence_id) REFERENCES sequences (path_id) ON DELETE CASCADE
)
CREATE TABLE results (
id BIGSERIAL NOT NULL,
sequence_id BIGINT NOT NULL,
shot_row BIGINT NOT NULL,
shot_index BIGINT NOT NULL,
time TIMESTAMP WITH TIME ZONE NOT NULL,
by JSON NOT NULL,
data JSON NOT NULL,
tags JSON,
note JSON,
CONSTRAINT pk_results PRIMARY KEY (id),
CONSTRAINT fk_results_sequence_id FOREIGN KEY(sequence_id) REFERENCES sequences (path_id) ON DELETE CASCADE
)
CREATE INDEX ix_results_sequence_id ON results (sequence_id, id)
CREATE TABLE arrays (
shot_id BIGINT NOT NULL,
position INTEGER NOT NULL,
part SMALLINT NOT NULL,
content BYTEA NOT NULL,
CONSTRAINT pk_arrays PRIMARY KEY (shot_id, position, part),
CONSTRAINT fk_arrays_shot_id FOREIGN KEY(shot_id) REFERENCES shots (id) ON DELETE CASCADE
)
CREATE TABLE result_arrays (
result_id BIGINT NOT NULL,
position INTEGER NOT NULL,
part SMALLINT NOT NULL,
content BYTEA NOT NULL,
CONSTRAINT pk_result_arrays PRIMARY KEY (result_id, position, part),
CONSTRAINT fk_result_arrays_result_id FOREIGN KEY(result_id) REFERENCES results (id) ON DELETE CASCADE
)
