"""The contract with a backend, and the rules that hold for all of them.

`stored_transaction`, `stored_tree` and `stored_records` say what a backend has to do, `content`
what the records hold. `sequence_reader`, `sequence_writer` and `settings` do everything else with
that, by the rules of `path_rules`, `state_rules`, `shot_rules` and `data_rules`.
"""
