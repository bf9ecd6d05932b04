"""What the service is made of besides our own code: bill of materials, licences, known holes."""
