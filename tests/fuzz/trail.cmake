# The room trail/.
