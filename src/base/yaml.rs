//! YAML with positions and Ansible's reading of YAML 1.1 scalars. The only file that knows the YAML
//! crates. (Placeholder until the inventory's branch lands.)
